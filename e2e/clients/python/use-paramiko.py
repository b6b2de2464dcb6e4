"""What programs that use Paramiko do: many sessions on one connection, SFTP, a terminal, a tunnel, new keys.

Arguments: host, port, user, file with the private key. Prints one line of JSON.
"""
import hashlib
import io
import json
import os
import sys
import threading

import paramiko

host, port, user, key = sys.argv[1:5]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect(
    host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False, timeout=60
)
transport = client.get_transport()
transport.set_keepalive(1)
seen = {}

# Twenty sessions at once.
codes = [None] * 20


def one(number):
    _stdin, stdout, _stderr = client.exec_command(f"echo {number}; exit {number}", timeout=60)
    printed = stdout.read().decode().strip()
    codes[number] = (printed, stdout.channel.recv_exit_status())


threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seen["sessions"] = all(code == (str(number), number) for number, code in enumerate(codes))

# Output and errors stay apart, and the input ends by halves.
stdin, stdout, stderr = client.exec_command("cat; echo done; echo failed >&2; exit 3", timeout=60)
stdin.write("from here\n")
stdin.channel.shutdown_write()
seen["streams"] = [
    stdout.read().decode(),
    stderr.read().decode(),
    stdout.channel.recv_exit_status(),
]

# Files, with new keys in the middle of a transfer.
data = os.urandom(8 * 1024 * 1024 + 1)
sftp = client.open_sftp()
sftp.mkdir("by-paramiko")
sftp.putfo(io.BytesIO(data[: 4 * 1024 * 1024]), "by-paramiko/first")
transport.renegotiate_keys()
sftp.putfo(io.BytesIO(data), "by-paramiko/file")
sftp.rename("by-paramiko/file", "by-paramiko/renamed")
sftp.chmod("by-paramiko/renamed", 0o640)
sftp.symlink("renamed", "by-paramiko/link")
back = io.BytesIO()
sftp.getfo("by-paramiko/link", back)
seen["files"] = [
    hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(data).digest(),
    sorted(sftp.listdir("by-paramiko")),
    oct(sftp.stat("by-paramiko/renamed").st_mode & 0o777),
]
try:
    sftp.stat("by-paramiko/nothing")
except FileNotFoundError:
    seen["missing"] = True

# A terminal, and its new size.
shell = client.invoke_shell(term="xterm", width=101, height=31)
shell.settimeout(60)
shell.send("stty size\n")
printed = ""
while "31 101" not in printed:
    printed += shell.recv(4096).decode()
shell.resize_pty(width=77, height=22)
while "22 77" not in printed:
    shell.send("stty size\n")
    printed += shell.recv(4096).decode()
shell.send("exit 5\n")
seen["terminal"] = shell.recv_exit_status()

# A tunnel to the page of the workspace.
tunnel = transport.open_channel("direct-tcpip", ("localhost", 8080), ("127.0.0.1", 0), timeout=60)
tunnel.sendall(b"GET / HTTP/1.0\r\n\r\n")
answer = b""
while chunk := tunnel.recv(65536):
    answer += chunk
seen["tunnel"] = answer.split(b"\r\n")[0].decode()
try:
    transport.open_channel("direct-tcpip", ("169.254.169.254", 80), ("127.0.0.1", 0), timeout=60)
except paramiko.ChannelException:
    seen["elsewhere"] = "refused"
client.close()
print(json.dumps(seen))
