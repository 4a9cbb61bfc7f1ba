"""Every table, in one import."""

from sync.records.alerts import Alert
from sync.records.base import Base, new_id, record_id
from sync.records.broadcasts import Airing, Loudspeaker, Play, Programme, ProgrammeItem, Schedule
from sync.records.calls import Call, CallTurn, PromptRecording, Recording, SharedView
from sync.records.community import Audit, Community, Household, Resident, Setting
from sync.records.feed import Feed
from sync.records.joined import JoinedOpinion
from sync.records.links import Account, Link, LinkCode
from sync.records.people import Consent, Key, Number, Person
from sync.records.placed import PlacedCall, PlacedTry
from sync.records.plans import Milestone
from sync.records.platforms import Change, KeptAnswer, Platform, Staff
from sync.records.reviewing import Assignment, Lesson, Searched, SearchTerm, SpokenReply
from sync.records.topics import Ballot, ProgressUpdate, Topic
from sync.records.understanding import Learned, Understanding
from sync.records.upkeep import Correction, Preview, PromptTake, Pronunciation, RosterImport
from sync.records.voices import (
    Capture,
    Opinion,
    OpinionRecording,
    Reaction,
    Receipt,
    Reply,
    Request,
    Satisfaction,
    Transcript,
    Unsaid,
)
from sync.records.webhooks import Delivery, Endpoint

__all__ = [
    "Account", "Airing", "Alert", "Assignment", "Audit", "Ballot", "Base", "Call", "CallTurn", "Capture",
    "Change", "Community", "Consent", "Correction", "Delivery", "Endpoint", "Feed", "Household",
    "JoinedOpinion", "KeptAnswer", "Key", "Learned", "Lesson", "Link", "LinkCode", "Loudspeaker", "Milestone",
    "Number", "Opinion", "OpinionRecording", "Person", "PlacedCall", "PlacedTry", "Platform", "Play",
    "Preview", "Programme", "ProgrammeItem", "ProgressUpdate", "PromptRecording", "PromptTake",
    "Pronunciation", "Reaction", "Receipt", "Recording", "Reply", "Request", "Resident", "RosterImport",
    "Satisfaction", "Schedule", "SearchTerm", "Searched", "Setting", "SharedView", "SpokenReply",
    "Staff", "Topic", "Transcript", "Understanding", "Unsaid", "new_id", "record_id",
]  # fmt: skip
