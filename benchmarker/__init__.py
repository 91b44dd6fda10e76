"""Train, compare and apply the neural networks of radio and transient astronomy."""
