/// Keys and certificates that serve tests alone: they are public, and valid until 2126.
///
/// Made by `openssl` with curve P-256: two CAs, and leaves for 127.0.0.1, ::1 and localhost, an administrator, a node, and a
/// client of the CA that the server does not know.
public enum TestCertificates {
    /// The CA of the server and its clients, PEM.
    public static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIUO8gm8OEMBsWqVTLKAnlAP4B8+eowCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPbmV0cG9sZCB0ZXN0IENBMCAXDTI2MTEyNzE3MDQ1N1oYDzIx
        MjYxMTAzMTcwNDU3WjAaMRgwFgYDVQQDDA9uZXRwb2xkIHRlc3QgQ0EwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAAT13KSjM9yRqXlEcV9oh2KkIhAVQHS15E0QxEJ7
        vZ+fqk0VdXIANpAqKsC2MXoaosiweEk5Y3+Q7m98Lik0HVbOo2MwYTAdBgNVHQ4E
        FgQU8wY/qqTMsD/kobhi335qgjEOu0swHwYDVR0jBBgwFoAU8wY/qqTMsD/kobhi
        335qgjEOu0swDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZI
        zj0EAwIDSAAwRQIgfYMAPLIdJb1qq6Dl+CVObRfPSpC357RrEYcbXf+/40sCIQDF
        aXisNfjSH7t/vXYiX3Ni4IgmEDqqaMAiBAf5B/wkpA==
        -----END CERTIFICATE-----

        """

    /// The certificate of the server, PEM.
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIB/zCCAaagAwIBAgIUWqljG+ZhZHdwXgHcSyvONa5FDCIwCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPbmV0cG9sZCB0ZXN0IENBMCAXDTI2MTEyNzE3MDQ1N1oYDzIx
        MjYxMTAzMTcwNDU3WjAZMRcwFQYDVQQDDA5rdWJlLWFwaXNlcnZlcjBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABPBcFLbEcVKnuQaDUKrF1Lozs33m8Q1xF2IRwRkw
        UE5OlfU+MpnIFqiq2U4r5GiAiqogsf1gGnO8M+vE9Ri5le2jgcgwgcUwUAYDVR0R
        BEkwR4IJbG9jYWxob3N0ggprdWJlcm5ldGVzghZrdWJlcm5ldGVzLmRlZmF1bHQu
        c3ZjhwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMBMGA1UdJQQMMAoGCCsGAQUFBwMB
        MA4GA1UdDwEB/wQEAwIHgDAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBSYyBhLHSjT
        5itOKZ2KgThYEn+rPzAfBgNVHSMEGDAWgBTzBj+qpMywP+ShuGLffmqCMQ67SzAK
        BggqhkjOPQQDAgNHADBEAiBcT/nZc9twvLi/zWGNF/BXptfK9/mEnsSbdDKUmkha
        FwIgfnPQ2lMtuHrlWYYh1x6iHXgTuzdbtSX0BTtYnlMQhhM=
        -----END CERTIFICATE-----

        """

    /// Its key, PEM.
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgozpTpohY50216juB
        m/Mfzh4zeA3t/xkkozm8HUqcE/ehRANCAATwXBS2xHFSp7kGg1CqxdS6M7N95vEN
        cRdiEcEZMFBOTpX1PjKZyBaoqtlOK+RogIqqILH9YBpzvDPrxPUYuZXt
        -----END PRIVATE KEY-----

        """

    /// A client certificate of `kube-admin`, group `system:masters`, PEM.
    public static let admin = """
        -----BEGIN CERTIFICATE-----
        MIIBwDCCAWegAwIBAgIUWqljG+ZhZHdwXgHcSyvONa5FDCMwCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPbmV0cG9sZCB0ZXN0IENBMCAXDTI2MTEyNzE3MDQ1N1oYDzIx
        MjYxMTAzMTcwNDU3WjAuMRcwFQYDVQQKDA5zeXN0ZW06bWFzdGVyczETMBEGA1UE
        AwwKa3ViZS1hZG1pbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDOs+VzVdlfp
        RXd7bDocdOGdy6wxhNPgEDnUFbGop5Ff2lnTh9x9CsJPArYBUBt2Y91einaUyCy1
        Bfi9ucOXfhWjdTBzMBMGA1UdJQQMMAoGCCsGAQUFBwMCMA4GA1UdDwEB/wQEAwIH
        gDAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBTalEXoUnOfNem/wR6Po5gms2/V/zAf
        BgNVHSMEGDAWgBTzBj+qpMywP+ShuGLffmqCMQ67SzAKBggqhkjOPQQDAgNHADBE
        AiBGGRLua2kVySWUJJxny0r6B2hshekHx2uHufYDjPy1TgIgfpSC4F4atIImMYxl
        K1oVvjYJQZk7EFkJ6jFD358zCZc=
        -----END CERTIFICATE-----

        """

    /// Its key, PEM.
    public static let adminKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgF6x2wtZib9yFYQcm
        nXCghBM+8J9wmWjd9JXNbdhVAA2hRANCAAQzrPlc1XZX6UV3e2w6HHThncusMYTT
        4BA51BWxqKeRX9pZ04fcfQrCTwK2AVAbdmPdXop2lMgstQX4vbnDl34V
        -----END PRIVATE KEY-----

        """

    /// A client certificate of `system:node:node-a`, group `system:nodes`, PEM.
    public static let node = """
        -----BEGIN CERTIFICATE-----
        MIIByDCCAW2gAwIBAgIUWqljG+ZhZHdwXgHcSyvONa5FDCQwCgYIKoZIzj0EAwIw
        GjEYMBYGA1UEAwwPbmV0cG9sZCB0ZXN0IENBMCAXDTI2MTEyNzE3MDQ1N1oYDzIx
        MjYxMTAzMTcwNDU3WjA0MRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxGzAZBgNVBAMM
        EnN5c3RlbTpub2RlOm5vZGUtYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKeZ
        FZAEHtjfmqYIaim9cku71cMLQqC1H0NcqaYT0VutPbpdIZJGM1DPW5SgT1CEOmZE
        RpSoDiPDTx7yur7N/mujdTBzMBMGA1UdJQQMMAoGCCsGAQUFBwMCMA4GA1UdDwEB
        /wQEAwIHgDAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBQu2v1WMx/tS4TxN6fXmfxr
        WGVniDAfBgNVHSMEGDAWgBTzBj+qpMywP+ShuGLffmqCMQ67SzAKBggqhkjOPQQD
        AgNJADBGAiEAnpfCwFkL1LuEyuuqzJQZ4clonRsoTZ2y/ika1OYG6yYCIQC3lv5b
        +WuRRylQmMjANdHYFK4vI5TsWTdBOU+iJdA4Sg==
        -----END CERTIFICATE-----

        """

    /// Its key, PEM.
    public static let nodeKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKsVkAIMCt5Nvgje2
        Da11w4Bj56up8wcZ8T/nElkn16ehRANCAASnmRWQBB7Y35qmCGopvXJLu9XDC0Kg
        tR9DXKmmE9FbrT26XSGSRjNQz1uUoE9QhDpmREaUqA4jw08e8rq+zf5r
        -----END PRIVATE KEY-----

        """

    /// A client certificate of the other CA, PEM.
    public static let stranger = """
        -----BEGIN CERTIFICATE-----
        MIIBxzCCAW2gAwIBAgIUYcccEGHWWmIZ8mTYWZj2c5F4DucwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVbmV0cG9sZCBvdGhlciB0ZXN0IENBMCAXDTI2MTEyNzE3MDQ1
        N1oYDzIxMjYxMTAzMTcwNDU3WjAuMRcwFQYDVQQKDA5zeXN0ZW06bWFzdGVyczET
        MBEGA1UEAwwKa3ViZS1hZG1pbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMwt
        fX52xG0ME9ysAOhk5kFF2u11EvRUmRb1YRVQ0XXMqqB7T8hcNB2VJ6d26Q1j++bw
        JZUGyKOP7aOATsGuwgmjdTBzMBMGA1UdJQQMMAoGCCsGAQUFBwMCMA4GA1UdDwEB
        /wQEAwIHgDAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBT0oNI6lMcillB6N1ME8fnz
        0cEcwTAfBgNVHSMEGDAWgBS3N0FCW/NDq5hSTMFPCROBDgS3PTAKBggqhkjOPQQD
        AgNIADBFAiEA7ebQxlETf22+X4m2BNTHwbsCmku/KbSFfCiKOBXeWf0CIBCzX/46
        aRSvfgIchrc8fwlVUcEy8nwKqHXN/02Sy/Ke
        -----END CERTIFICATE-----

        """

    /// Its key, PEM.
    public static let strangerKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi91BhrzzdN6j0suw
        W680dzalUS1lGtGN4DOt8KrXB7qhRANCAATMLX1+dsRtDBPcrADoZOZBRdrtdRL0
        VJkW9WEVUNF1zKqge0/IXDQdlSendukNY/vm8CWVBsijj+2jgE7BrsIJ
        -----END PRIVATE KEY-----

        """
}
