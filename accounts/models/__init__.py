"""Who: people, companies, projects, and who may do what where (mission rules 1 to 5)."""

from accounts.models.api_tokens import ApiToken, ApiTokenUse, Principal
from accounts.models.companies import Company, Membership, Project, ProjectRight
from accounts.models.customers import CustomerAccount, CustomerLink
from accounts.models.invitations import Invitation
from accounts.models.people import TermsAcceptance, User, UserManager

__all__ = [
    "ApiToken",
    "ApiTokenUse",
    "Company",
    "CustomerAccount",
    "CustomerLink",
    "Invitation",
    "Membership",
    "Principal",
    "Project",
    "ProjectRight",
    "TermsAcceptance",
    "User",
    "UserManager",
]
