"""From a frozen config to a model, its data and a Trainer."""
