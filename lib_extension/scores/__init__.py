"""What scores are there for pictures? One file a score; SCORES lists them, ScoreSource asks for one, make_scores carries several out."""

from lib_extension.scores.score_type import ScoreGiven as ScoreGiven
from lib_extension.scores.score_type import ScoreType as ScoreType
from lib_extension.scores.source import SCORES as SCORES
from lib_extension.scores.source import Scored as Scored
from lib_extension.scores.source import ScoreSource as ScoreSource
from lib_extension.scores.source import make_scores as make_scores
from lib_extension.scores.source import needs_network as needs_network
from lib_extension.scores.source import read_score as read_score
from lib_extension.scores.source import references as references
from lib_extension.scores.source import score_schema as score_schema
