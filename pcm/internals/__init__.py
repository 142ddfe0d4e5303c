"""All that relies on private names of torch, Lightning and torchmetrics.

What breaks when one of them moves stands in here, and `required` looks for it before training
begins. It is a package of its own since `pcm.chain` needs some of it, and must not import
training. Nothing in here is imported at the top of a module whose absence `required` is to tell.
"""
