"""The form of acts that are not done without a reason (mission rule 38)."""

from django import forms
from django.utils.translation import gettext_lazy

from portal.core.acts import LONGEST_REASON
from portal.core.forms import ActForm


class ReasonForm(ActForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("A sentence for whoever looks at it later. It stays in the history."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
