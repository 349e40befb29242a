"""Speed, memory and quality of Impasto: beside the baseline (`__main__`), inside a hard limit of
memory (`small_host`), and treated badly for hours (`soak`).

Measuring (`measuring`) appends to a file of `records`; `report` makes the page of it.
"""
