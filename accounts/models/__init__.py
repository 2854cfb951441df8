"""Who: people, companies, projects, and who may do what where (mission rules 1 to 5)."""

from accounts.models.api_tokens import ApiToken, ApiTokenUse, Principal
from accounts.models.companies import Company, Membership, Project, ProjectRight
from accounts.models.customers import CustomerAccount, CustomerLink
from accounts.models.invitations import Invitation
from accounts.models.mails import CalendarFeed, Mail, UnwantedNotice
from accounts.models.people import TermsAcceptance, User, UserManager
from accounts.models.reason_templates import ReasonTemplate
from accounts.models.staff import StaffRole
from accounts.models.vendor_tokens import VendorToken

__all__ = [
    "ApiToken",
    "ApiTokenUse",
    "CalendarFeed",
    "Company",
    "CustomerAccount",
    "CustomerLink",
    "Invitation",
    "Mail",
    "Membership",
    "Principal",
    "Project",
    "ProjectRight",
    "ReasonTemplate",
    "StaffRole",
    "TermsAcceptance",
    "UnwantedNotice",
    "User",
    "UserManager",
    "VendorToken",
]
