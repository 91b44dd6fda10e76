"""AstroAttention (Bowles et al. 2021): published weights, attention maps, figures."""
