"""Our own routes, below /atelier/v1: recipes, runs, their events, and pictures; for programs and for the tab alike.

Nothing is imported here: a WebUI needs the names of the tab's files at its start, and all the rest only when the tab is looked at.
"""
