"""How django-allauth keeps people's accounts (docs/decisions/0013): what is the same everywhere."""

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.adapter.display"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # nobody is in before the link in the mail was followed
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True  # one address each; a new one counts once it is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
PASSWORD_RESET_TIMEOUT = 3 * 60 * 60
ACCOUNT_FORMS = {
    "signup": "accounts.web.forms.RegistrationForm",
    "add_email": "accounts.web.forms.NewAddressForm",
    "change_password": "accounts.web.forms.ChangePasswordForm",
    "set_password": "accounts.web.forms.SetPasswordForm",
    "reset_password": "accounts.web.forms.ForgotPasswordForm",
    "reset_password_from_key": "accounts.web.forms.NewPasswordForm",
    "reauthenticate": "accounts.web.forms.PasswordAgainForm",
}
# Ten guesses at one person, and what a whole office behind one address may need.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "100/15m/ip,10/15m/key",
    "signup": "20/h/ip",
    "reset_password": "20/h/ip,5/h/key",
    "reset_password_from_key": "30/h/ip",
    "confirm_email": "1/60s/key",
    "manage_email": "20/h/user",
    "change_password": "10/15m/user",
    "reauthenticate": "10/15m/user",
}
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "License Portal"
MFA_TOTP_PERIOD = 30
MFA_TOTP_TOLERANCE = 1  # clocks of telephones
MFA_FORMS = {
    "authenticate": "accounts.web.forms.SecondFactorForm",
    "reauthenticate": "accounts.web.forms.CodeAgainForm",
    "activate_totp": "accounts.web.forms.AuthenticatorAppForm",
    "login_webauthn": "accounts.web.forms.PasskeySignInForm",
    "authenticate_webauthn": "accounts.web.forms.PasskeyFactorForm",
    "reauthenticate_webauthn": "accounts.web.forms.PasskeyAgainForm",
    "add_webauthn": "accounts.web.forms.PasskeyForm",
    "edit_webauthn": "accounts.web.forms.PasskeyNameForm",
}
