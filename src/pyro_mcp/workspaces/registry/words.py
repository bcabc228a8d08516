"""The words of generated names: short, friendly, hard to misspell, none with a second meaning at work."""

# fmt: off
ADJECTIVES = (
    "able", "amber", "bold", "brave", "brisk", "bright", "calm", "clear", "clever", "cosy", "crisp",
    "daring", "deep", "eager", "early", "fair", "fine", "fond", "free", "fresh", "gentle", "glad",
    "golden", "grand", "green", "happy", "hardy", "humble", "jolly", "keen", "kind", "lively", "loyal",
    "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient", "plain", "polite", "proud",
    "quick", "quiet", "rapid", "ready", "rosy", "round", "sharp", "silver", "smart", "snug", "solid",
    "spry", "steady", "sunny", "swift", "tidy", "warm", "wise", "witty",
)
# fmt: on

# fmt: off
NOUNS = (
    "acorn", "alder", "aspen", "badger", "beaver", "birch", "brook", "cedar", "cliff", "cloud", "clover",
    "comet", "crane", "creek", "dove", "eagle", "elm", "ember", "falcon", "fern", "finch", "forest",
    "fox", "garden", "glade", "grove", "harbour", "hazel", "heron", "hill", "island", "ivy", "lake",
    "lantern", "lark", "maple", "meadow", "moss", "oak", "orchard", "otter", "owl", "peach", "pebble",
    "pine", "planet", "plum", "pond", "poppy", "raven", "reef", "river", "robin", "rowan", "sparrow",
    "spruce", "stone", "thistle", "trail", "tulip", "valley", "walnut", "willow", "wren",
)
# fmt: on
