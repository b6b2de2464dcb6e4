# The gateway has signed the person in, and the container has no other user.
SERVER_MODE = False
MASTER_PASSWORD_REQUIRED = False
DEFAULT_SERVER = '0.0.0.0'
DEFAULT_SERVER_PORT = 5050
UPGRADE_CHECK_ENABLED = False
DATA_DIR = '/home/person/pgadmin'
# Berth strips the prefix of a path, and tells it by X-Forwarded-Prefix.
PROXY_X_PREFIX_COUNT = 1
LOG_FILE = '/home/person/pgadmin/pgadmin4.log'
SQLITE_PATH = '/home/person/pgadmin/pgadmin4.db'
SESSION_DB_PATH = '/home/person/pgadmin/sessions'
STORAGE_DIR = '/home/person/pgadmin/storage'
AZURE_CREDENTIAL_CACHE_DIR = '/home/person/pgadmin/azure'
