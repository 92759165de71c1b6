#!/bin/sh
# Makes the certificates beside it, which tests of TLS use; good from 2020 to 2120.
#   ca, other-ca: authorities · server: 127.0.0.1, localhost and app.test, by ca · client: by ca
#   stranger: 127.0.0.1, by other-ca · misnamed: elsewhere.test, by ca · expired: by ca, in 2021
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make() { # name, authority ('': itself), extensions, end
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$work/csr"
  printf '%s\n' "$3" > "$work/ext"
  : > "$work/index"
  printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s/index\nnew_certs_dir=%s\n' "$work" "$work" > "$work/cnf"
  printf 'rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n' >> "$work/cnf"
  by="-cert ${2:-$1}.pem -keyfile ${2:-$1}.key"
  [ -n "$2" ] || by="-selfsign -keyfile $1.key"
  openssl ca -config "$work/cnf" -batch -notext $by -in "$work/csr" -extfile "$work/ext" \
    -startdate 20200101000000Z -enddate "$4" -out "$1.pem"
}
leaf() { make "$1" "$2" "subjectAltName=$3
extendedKeyUsage=serverAuth,clientAuth" "${4:-21200101000000Z}"; }
make ca '' 'basicConstraints=critical,CA:true' 21200101000000Z
make other-ca '' 'basicConstraints=critical,CA:true' 21200101000000Z
leaf server ca 'IP:127.0.0.1,DNS:localhost,DNS:app.test'
leaf client ca 'DNS:client.test'
leaf stranger other-ca 'IP:127.0.0.1'
leaf misnamed ca 'DNS:elsewhere.test'
leaf expired ca 'IP:127.0.0.1' 20210101000000Z
rm -f ca.key other-ca.key
