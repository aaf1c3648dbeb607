"""`hub leaderboard`: ranks the result folders that a board takes, and writes the ranking as pages.

board.py       reads a board: benchmarks, metrics, how they combine, which runs qualify
qualify.py     which runs a board takes, and why it takes no others
values.py      a run's values on one metric, by prompt
ranks.py       tests between models, and the ranks that they leave
standing.py    a board with its models
table.py       a standing for a terminal
plain.py       a standing as plain data
html.py        texts as HTML, pages with their policy
board_page.py  a board's page
run_page.py    a run's page, with every sample
site.py        the folder of pages, all of it or none
assets/        styles and scripts of the pages
"""
