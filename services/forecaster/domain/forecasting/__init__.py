"""From counts of the past to a mean and quantiles of what comes."""
