package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestTLS: a certificate that this machine does not know is refused with the way to make it known,
// and taken when it is. The pool of known ones is read once, so that happens in another process.
func TestTLS(t *testing.T) {
	if url := os.Getenv("TEST_TLS_URL"); url != "" {
		where, rdb := open(t, url)
		if err := where.Explain(probe(t, rdb)); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir)
	port := freePort(t)
	vtest.StartServer(t, "--tls-port", port, "--tls-cert-file", dir+"/cert", "--tls-key-file", dir+"/key",
		"--tls-ca-cert-file", dir+"/cert", "--tls-auth-clients", "no")
	for url, says := range map[string]string{
		"rediss://127.0.0.1:" + port:                      "name its file in SSL_CERT_FILE",
		"redis-cluster://127.0.0.1:" + port + "?tls=true": "name its file in SSL_CERT_FILE",
	} {
		where, rdb := open(t, url)
		if err := where.Explain(probe(t, rdb)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", url, err)
		}
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTLS$")
	again.Env = append(os.Environ(), "TEST_TLS_URL=rediss://127.0.0.1:"+port, "SSL_CERT_FILE="+dir+"/cert")
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("with the certificate known: %v, %s", err, out)
	}
}

// writeCertificate writes a key and a certificate for 127.0.0.1 that vouches for itself.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: signed}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
