"""Who really says something: claims, what proves them, and whose keys prove for whom."""
