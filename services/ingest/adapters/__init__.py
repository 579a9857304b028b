"""The log as a port, its Kafka implementation and one in memory."""
