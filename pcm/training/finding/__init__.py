"""Lightning's finders: each looks once, and every attempt trains with what was found."""
