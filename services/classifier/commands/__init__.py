"""What `python -m services.classifier` can do, one file per subcommand."""
