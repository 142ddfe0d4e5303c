"""Tables and the live view: what people see of experiments."""
