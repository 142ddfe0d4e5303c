"""The host side of pcm: plans, submits and watches experiments. It never imports torch."""
