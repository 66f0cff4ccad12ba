"""Ranks of words as printed in public notebooks from Keras's ``imdb_word_index.json``.

They are chosen for being hard to get: words of equal count, whose order is that of a Python 2 dictionary,
with collisions and with letters other than ASCII.
"""

import json

# fmt: off
RANKS = dict(json.loads("""[
["fawn", 34701], ["tsukino", 52006], ["nunnery", 52007], ["sonja", 16816], ["vani", 63951],
["woods", 1408], ["spiders", 16115], ["hanging", 2345], ["woody", 2289], ["trawling", 52008],
["hold's", 52009], ["comically", 11307], ["localized", 40830], ["disobeying", 30568],
["'royale", 52010], ["harpo's", 40831], ["templarios", 52125], ["272", 40835], ["273", 52028],
["zaniacs", 52130], ["275", 34706], ["uality", 52030], ["yomada's", 52031], ["dialoge", 30585],
["usenet", 52033], ["tom''", 52039], ["sermons", 30602], ["7ft", 40846], ["meteorologist", 52057],
["beswick", 42577], ["blustering", 22922], ["edgeways", 52321], ["gouge", 22433],
["most\\u0085and", 52069], ["dishonor", 30071], ["aargh", 30623], ["ached", 31931],
["inamorata's", 57781], ["guitarists", 48246], ["lanisha", 17649], ["duchonvey's", 82143],
["nasty'", 37519], ["lightened", 28105], ["spoilerish", 46449], ["gaskets", 52024], ["edie's", 25905],
["270", 34705], ["274", 52029], ["dolan", 33266], ["278", 52133], ["dastagir", 57596],
["2\\u0085", 52144], ["thanatos", 39797], ["sandoval", 35731], ["fugitives", 32018], ["'e'", 76125],
["doesn\\u2019t", 40881], ["martians'", 41095], ["norliss", 23418], ["ordell", 57792],
["martino's", 17177], ["warmongering", 52032], ["massacring", 42584], ["kerkhof", 50202],
["wrangle", 47360], ["broeke", 41128], ["lyoko", 52961], ["fearlessly", 34870], ["gopher", 35714],
["decapitates", 31268], ["wiseguy", 22615], ["hepo", 53083], ["venoms", 10584], ["animie", 57804],
["hyperdrive", 41188], ["bricklayer", 53153], ["portobello", 20638], ["blister", 69876],
["expetations", 53241], ["mehras", 75638], ["militarily", 33946], ["gainsbourg", 19023],
["duffer", 53259], ["duffel", 30731], ["barbara's", 23673], ["justin's", 32622], ["'demons'", 34935],
["shipyard", 39724], ["disks", 40401], ["vancouver's", 56434], ["surrell", 53344], ["chabert", 53363],
["brundage", 51995], ["obscenity", 21962], ["despised", 12258], ["exposition'\\u0085", 52250],
["bonejack", 49759], ["trelkovski", 40845], ["'chapters'", 59386], ["paycheque", 57816],
["larp", 64007], ["summerize", 76152], ["\\u0091very", 52284], ["coolidge", 45879],
["paychecks", 18557], ["rosenstein", 38765], ["aada", 82190], ["strongboy", 61534],
["hegemonic", 41342], ["xxth", 41346], ["capit\\u00e3es", 52298], ["cheeseburgers", 31270],
["305", 30074], ["'freak'", 42592], ["white\\u2019s", 52307], ["flavia's", 37567], ["pooped", 37778],
["caine's", 11799], ["disparagement", 52064], ["novikov", 82196], ["oatmeal", 23106], ["'marci", 76164],
["maude", 16019], ["mahattan", 54014], ["surfing", 4252], ["halloran", 23494], ["unbelieveably", 49580],
["sniffle", 82201], ["j\\u014db's", 52354], ["fun\\u0097yet", 52358], ["padm\\u00e9", 52362],
["pablo's", 41465], ["bowlegged", 57832], ["dalip", 65183], ["newsradio", 76172], ["presaged", 54150],
["raunchy", 7817], ["snooker", 35097], ["sanford's", 61306], ["\\u0091do\\u00f1a", 52377],
["everything's", 19153], ["'road", 23490], ["yara's", 87955], ["abraham's", 41511], ["kagan", 28624],
["tingled", 64027]
]"""))
# fmt: on
