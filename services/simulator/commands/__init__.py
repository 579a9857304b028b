"""What the command line starts: a corpus on disk, or posts over HTTP."""
