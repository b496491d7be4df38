"""The commands of the command line, one module each; what they know by name is handed to them by `sciml.cli`."""
