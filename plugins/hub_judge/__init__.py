"""Language models as judges: a rating, a comparison with the reference, or of a group's completions.

template.py   what a judge is shown, with what it judges in frames that this cannot close
verdict.py    a judge's answer becomes a number or a verdict, or is refused
server.py     asks a server that speaks OpenAI's protocol: retries, limits
answers.py    the file in which answers are kept, and from which they are replayed
panel.py      several judges and repeats; tokens and costs
task.py       what is judged, by options and by the row's column `judge`
absolute.py   the reward `judge`
versus.py     the reward `judge-versus`
group.py      the reward `judge-group`
controls.py   completions that deserve nothing, judged beside the real ones

A judge's answer that cannot be read is a failure, never a number.
"""
