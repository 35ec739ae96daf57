"""A newsroom that ships with monitor: a dozen invented outlets cover an invented crisis for six hours.

`data/` holds the words (one TOML file per outlet), `script` reads them, `newsroom` renders any feed
or page as it stands at an instant, `server` serves that on loopback, `config` writes the feeds.toml
for it and `expected` states what a right service makes of it. Every outlet, person, group and
event is invented; places are real.
"""
