//! Just enough DER (X.690) to write a timestamp.

/// One element: tag, length, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut element = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => element.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(0)..];
            element.push(0x80 | u8::try_from(bytes.len()).expect("eight at most"));
            element.extend(bytes);
        }
    }
    element.extend(content);
    element
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn oid(body: &[u8]) -> Vec<u8> {
    tlv(0x06, body)
}

const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const POLICY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x02];

/// TSTInfo (RFC 3161 §2.4.2).
pub(crate) fn stamp_info(digest: &[u8], when: &str) -> Vec<u8> {
    sequence(&[
        tlv(0x02, &[1]),
        oid(POLICY),
        sequence(&[sequence(&[oid(SHA_256)]), tlv(0x04, digest)]),
        tlv(0x02, &[42]),
        tlv(0x18, when.as_bytes()),
    ])
}

/// The signed attributes, without the tag around them.
pub(crate) fn stamp_attributes(info_digest: &[u8]) -> Vec<u8> {
    [
        sequence(&[oid(CONTENT_TYPE), tlv(0x31, &oid(TST_INFO))]),
        sequence(&[oid(MESSAGE_DIGEST), tlv(0x31, &tlv(0x04, info_digest))]),
    ]
    .concat()
}

/// The response with the token in it (RFC 3161 §2.4.2, RFC 5652 §5.1).
pub(crate) fn stamp(info: &[u8], attributes: &[u8], signature: &[u8], signer: &[u8]) -> Vec<u8> {
    use x509_cert::der::{Decode as _, Encode as _};
    let certificate = x509_cert::Certificate::from_der(signer).expect("a certificate");
    let certificate = certificate.tbs_certificate;
    let sid = sequence(&[
        certificate.issuer.to_der().expect("a name"),
        certificate.serial_number.to_der().expect("a number"),
    ]);
    let signer_info = sequence(&[
        tlv(0x02, &[1]),
        sid,
        sequence(&[oid(SHA_256)]),
        tlv(0xa0, attributes),
        sequence(&[oid(ECDSA_SHA_256)]),
        tlv(0x04, signature),
    ]);
    let data = sequence(&[
        tlv(0x02, &[3]),
        tlv(0x31, &sequence(&[oid(SHA_256)])),
        sequence(&[oid(TST_INFO), tlv(0xa0, &tlv(0x04, info))]),
        tlv(0x31, &signer_info),
    ]);
    let token = sequence(&[oid(SIGNED_DATA), tlv(0xa0, &data)]);
    sequence(&[sequence(&[tlv(0x02, &[0])]), token])
}
