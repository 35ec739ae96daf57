"""What is the same article, the same text, the same event."""
