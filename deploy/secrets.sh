#!/bin/sh
# Makes what docker-compose.yml needs and must not be in the repository: keys, passwords, and Redis' users with them.
# Once in a fresh clone, and after an update (then only the users are written again): sh deploy/secrets.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder="${1:-./secrets}"
umask 077
mkdir -p "$folder"
chmod 700 "$folder" # nobody else comes past it, so that the files may be readable for the containers' users
printf '*\n' >"$folder/.gitignore"

# make NAME: its content from standard input, unless there is one.
make() {
  if [ -s "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi
  chmod 444 "$folder/$1"
}

printf 'k1:%s\n' "$(openssl rand -base64 32)" | make encryption-keys
openssl rand -base64 32 | make subject-key

users="$(cat deploy/redis/users.acl)"
for role in producer worker operator; do
  printf 'redis://satyapan-%s:%s@redis:6379\n' "$role" "$(openssl rand -hex 32)" | make "redis-url-$role"
  password="$(sed 's/^.*:\(.*\)@.*$/\1/' "$folder/redis-url-$role")"
  hash="$(printf %s "$password" | openssl dgst -sha256 -r | cut -d ' ' -f 1)"
  users="$(printf '%s\n' "$users" | sed "s/^user satyapan-$role on resetpass/& #$hash/")"
done
rm -f "$folder/redis-users"
printf '%s\n' "$users" | make redis-users

mkdir -p "$folder/providers" # for what a provider gives: docs/deployment.md
chmod 755 "$folder/providers"
if [ $# -eq 0 ] && ! grep -qs '^SECRETS_DIR=' .env; then printf 'SECRETS_DIR=./secrets\n' >>.env; fi
