# One person without a sign-in of pgAdmin's own: the gateway has signed the person in.
SERVER_MODE = False
MASTER_PASSWORD_REQUIRED = False
# The session would end when the address of the person changes.
ENHANCED_COOKIE_PROTECTION = False

DEFAULT_SERVER = '0.0.0.0'
# Berth tells the prefix of a stripped path by X-Forwarded-Prefix.
PROXY_X_PREFIX_COUNT = 1

DATA_DIR = '/home/person/.pgadmin'
LOG_FILE = '/home/person/.pgadmin/pgadmin4.log'
SQLITE_PATH = '/home/person/.pgadmin/pgadmin4.db'
SESSION_DB_PATH = '/home/person/.pgadmin/sessions'
STORAGE_DIR = '/home/person'

UPGRADE_CHECK_ENABLED = False
LLM_ENABLED = False
