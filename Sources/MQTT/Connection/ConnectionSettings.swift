/// What one connection needs to know about its broker and about itself.
///
/// Passwords and certificates are named by their files and read again at each attempt to connect.
public struct ConnectionSettings: Sendable, Equatable {
    /// Name or address of the broker. With TLS the broker's certificate must carry it.
    public var host: String
    /// TCP port, 1...65535.
    public var port: Int
    /// Client identifier, not empty. A second client with the same one takes the connection over.
    public var clientID: String
    public var username: String?
    /// File with the password; one trailing line end is dropped. If the file cannot be read the attempt fails: a
    /// connection without the password is never tried.
    public var passwordFile: String?
    /// `nil`: plain TCP.
    public var tls: TLS?
    /// Seconds between pings on an idle connection, 5...65535.
    public var keepAlive: UInt16 = 30
    /// Ask the broker to forget the session at each connect.
    public var cleanStart = false
    /// Seconds for which the broker keeps the session of an absent client. MQTT v5 only; a v3.1.1 broker keeps it as
    /// long as its own configuration says.
    public var sessionExpiry: UInt32 = 0
    /// Messages the broker may send ahead of their acknowledgements, 1...65535. MQTT v5 only; a v3.1.1 broker uses
    /// its own limit (20 in Mosquitto).
    public var receiveMaximum: UInt16 = 1000
    /// Publications that may wait for their PUBACK, 1...65535. The broker's Receive Maximum can only lower it.
    public var sendMaximum: UInt16 = 1000
    /// Largest packet the broker may send, in bytes. `nil`: no limit. MQTT v5 only; the broker drops what is larger.
    public var maximumPacketSize: UInt32?
    /// Published by the broker when the connection ends without a DISCONNECT.
    public var will: Publication?
    public var batch = BatchLimits()
    /// Nanoseconds from the resolver's answer to the CONNACK. Name resolution happens inside the C library and
    /// takes as long as the resolver does.
    public var connectTimeout: Int64 = 15_000_000_000
    /// Nanoseconds for the CONNACK while v5 is tried at a broker that has not spoken it yet: some never answer to it.
    public var answerTimeout: Int64 = 4_000_000_000
    /// Nanoseconds that a connection lasts which got 3.1.1 because one CONNECT of v5 had been cut, until it is renewed with v5:
    /// it may have been the network. Ten times as long where it had met silence, since trying again may cost `answerTimeout`.
    public var suspicionTime: Int64 = 60_000_000_000
    /// Which versions to speak.
    public var protocolPolicy = ProtocolPolicy.auto

    public init(host: String, port: Int, clientID: String) {
        self.host = host
        self.port = port
        self.clientID = clientID
    }
}

/// Server verification and, optionally, a client certificate. TLS 1.2 or later; the server is always verified.
public struct TLS: Sendable, Equatable {
    /// PEM file of the certificate authority that signed the broker's certificate. `nil`: the system's authorities.
    public var caFile: String?
    /// PEM files of the client certificate chain and its unencrypted key; both or neither.
    public var certificateFile: String?
    public var keyFile: String?

    public init(caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// When the messages read so far are handed over: at the first limit that is reached.
public struct BatchLimits: Sendable, Equatable {
    public var messages: Int
    /// Sum of the bytes of payloads, topics and user properties.
    public var bytes: Int
    /// Nanoseconds a batch may wait for more after its first message. 0: hand over as soon as nothing more is
    /// readable. Acknowledgements and pings wait with it, so it is cut to half of `keepAlive`. It does not wait while
    /// the broker waits for acknowledgements itself; with `pace` only, by whose tenth that is judged.
    public var age: Int64
    /// Nanoseconds from one hand-over to the next while messages come less than a tenth of this apart, so that a dense
    /// stream does not cost a commit per message. A message after a pause is handed over at once, a full batch too, and
    /// any batch when nothing has come for a tenth of this: the broker's window may be full. 0: as soon as nothing
    /// more is readable.
    public var pace: Int64

    public init(messages: Int = 512, bytes: Int = 1 << 20, age: Int64 = 0, pace: Int64 = 0) {
        self.messages = messages
        self.bytes = bytes
        self.age = age
        self.pace = pace
    }
}

/// Which versions of MQTT a connection may speak.
public enum ProtocolPolicy: String, Sendable, CaseIterable {
    /// v5 first, and 3.1.1 when the broker does not know it.
    case auto
    case version5 = "5"
    case version311 = "3.1.1"
}

/// The MQTT version a connection speaks.
public enum ProtocolVersion: String, Sendable, Equatable, CustomStringConvertible {
    case v311 = "3.1.1"
    case v5 = "5"

    public var description: String { rawValue }
}

let nanosecondsPerSecond: Int64 = 1_000_000_000
