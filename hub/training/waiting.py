"""How long a group that a trainer hands over sample by sample waits for another of its samples.

A sample without a total waits for the rest of its group, whose mean it gets; where samples are compared, all
wait. Given up too early, it gets the mean of a part of its group, or 0.0 where nothing is known of it yet,
although its siblings are still being generated. Waited for too long, an evaluation stands still for samples
that never come.
"""

WHOLE_S = 86400.0
"""Where a group always becomes whole: if the generation of one sample fails, the trainer fails with it."""
SURE_S = 1800.0
"""Where a group's size is known, though the trainer may give some up; and where samples are compared."""
UNSURE_S = 60.0
"""Where a group may be of another size, as in an evaluation, or where a sample that waits holds up others."""
