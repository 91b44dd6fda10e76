"""Networks: text layer lists, Python networks, and the registry that finds both."""
