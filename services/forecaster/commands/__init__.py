"""What `python -m services.forecaster` can do, one file per subcommand."""
