"""What is made from records: leaderboards and plots."""
