"""Data sets that users bring: files and the tree of their queues."""
