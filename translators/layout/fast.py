"""What the fast reader says of a message that it does not take."""


class Unusual(Exception):
    """Something that only the reference reader understands or may refuse."""
