"""What experiments came to: their metrics, beside their axes."""
