"""Claims and what proves them."""
