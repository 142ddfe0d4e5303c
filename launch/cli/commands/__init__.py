"""One module a command, under the command's name: they parse, call and print."""
