"""What Deskstream costs, each figure beside a baseline measured in the same run."""
