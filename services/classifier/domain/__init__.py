"""What labelling is, without a broker, a web framework or a learning library."""
