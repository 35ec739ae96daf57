"""Anything at all, given to whatever reads what others wrote.

targets   one function for each reader: bytes in, an assertion if its promise is broken
served    the same for those that need a database: pages, API, callbacks of hubs, Slack
seeds     what to begin with: the corpus, where there is one, and words of each language
mutate    changes to bytes that look like mistakes and like malice
__main__  ``make fuzz``: for minutes or hours, looking for new paths (atheris)
test_fuzz a moment of each in the suite, and all that was ever found
"""
