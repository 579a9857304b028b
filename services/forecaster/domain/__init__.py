"""What load, forecasts and staffing are, without a broker or a database."""
