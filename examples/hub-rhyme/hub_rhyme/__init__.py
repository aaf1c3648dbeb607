"""hub-rhyme: a reward for poems."""
