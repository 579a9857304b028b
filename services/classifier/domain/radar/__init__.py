"""The radar: which topics emerge among the tickets that no known topic explains."""
