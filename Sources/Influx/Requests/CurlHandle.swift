import CCurl
import Heating

/// One libcurl easy handle: a connection that is kept, the fixed options of a client, and the last answer.
///
/// Used by one thread at a time (libcurl-thread(3)). Handles given to a ``CurlMulti`` are removed from it first.
final class CurlHandle {
    /// An answer larger than this is cut; InfluxDB quotes refused lines, up to all of them.
    private static let bodyLimit = 1 << 20

    let pointer: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    fileprivate(set) var body: [UInt8] = []
    /// Names in lower case.
    fileprivate(set) var headers: [String: String] = [:]

    /// - Throws: ``InfluxError/outOfMemory``.
    init(headers: [String], credentials: (username: String, password: String)?, settings: InfluxSettings)
        throws(InfluxError)
    {
        guard curlIsReady, let pointer = curl_easy_init() else { throw .outOfMemory }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))

        hearth_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        // Without it timeouts of name look-ups use SIGALRM, which is not for threads (libcurl-thread(3)).
        hearth_curl_set_long(pointer, CURLOPT_NOSIGNAL, 1)
        hearth_curl_allow_http_only(pointer)
        hearth_curl_set_long(pointer, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        hearth_curl_set_long(pointer, CURLOPT_TCP_KEEPALIVE, 1)
        hearth_curl_set_text(pointer, CURLOPT_USERAGENT, "hearth-cloud")
        // Some proxies compress whatever was asked for; unread, the reason would be noise.
        hearth_curl_set_text(pointer, CURLOPT_ACCEPT_ENCODING, "gzip")
        hearth_curl_set_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        if let caFile = settings.caFile { hearth_curl_set_text(pointer, CURLOPT_CAINFO, caFile) }
        setAccess(headers: headers, credentials: credentials)
        let context = Unmanaged.passUnretained(self).toOpaque()
        hearth_curl_set_receiver(pointer, CURLOPT_WRITEFUNCTION, receiveBody)
        hearth_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context)
        hearth_curl_set_receiver(pointer, CURLOPT_HEADERFUNCTION, receiveHeader)
        hearth_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// Replaces headers and credentials; between two transfers.
    func setAccess(headers: [String], credentials: (username: String, password: String)?) {
        let former = headerList
        headerList = nil
        for header in headers { headerList = curl_slist_append(headerList, header) }
        hearth_curl_set_pointer(pointer, CURLOPT_HTTPHEADER, headerList)
        curl_slist_free_all(former)
        if let (username, password) = credentials {
            hearth_curl_set_text(pointer, CURLOPT_USERNAME, username)
            hearth_curl_set_text(pointer, CURLOPT_PASSWORD, password)
        }
    }

    /// Prepares a POST. `content` is not empty and not copied: it stays in place until the transfer is over.
    func preparePost(_ url: String, content: UnsafeRawBufferPointer, timeout: Duration) {
        prepare(url, timeout: timeout)
        hearth_curl_set_long(pointer, CURLOPT_POST, 1)
        hearth_curl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(content.count))
        hearth_curl_set_pointer(pointer, CURLOPT_POSTFIELDS, content.baseAddress)
    }

    func prepareGet(_ url: String, timeout: Duration) {
        prepare(url, timeout: timeout)
        hearth_curl_set_long(pointer, CURLOPT_HTTPGET, 1)
    }

    private func prepare(_ url: String, timeout: Duration) {
        body.removeAll(keepingCapacity: body.capacity <= 64 * 1024)
        headers.removeAll()
        errorText.pointee = 0
        hearth_curl_set_text(pointer, CURLOPT_URL, url)
        hearth_curl_set_long(pointer, CURLOPT_TIMEOUT_MS, timeout.wholeMilliseconds)
    }

    /// The status of the last answer; 0 before one.
    var status: Int {
        var code = 0
        hearth_curl_response_code(pointer, &code)
        return code
    }

    /// What libcurl says about a transfer that ended with `result`.
    func errorMessage(_ result: CURLcode) -> String {
        let text = String(cString: errorText)
        return text.isEmpty ? String(cString: curl_easy_strerror(result)) : text
    }

    fileprivate func receive(header line: String) {
        if line.hasPrefix("HTTP/") {
            // Another answer begins: what came before was a "100 Continue" or a proxy's.
            headers.removeAll()
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers[line[..<colon].lowercased()] = String(value)
        }
    }

    fileprivate func receive(body part: UnsafeRawBufferPointer) {
        body.append(contentsOf: part.prefix(Self.bodyLimit - body.count))
    }
}

/// curl_global_init is not thread safe and must come first; a Swift global is initialised exactly once.
private let curlIsReady = hearth_curl_global_init() == CURLE_OK

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return size * count }
    Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
        .receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return size * count }
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        .prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
    Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
        .receive(header: String(decoding: line, as: UTF8.self))
    return size * count
}

extension Duration {
    /// At least 1: libcurl reads 0 as no limit or as its own default.
    fileprivate var wholeMilliseconds: Int { max(1, Int(wholeNanoseconds / 1_000_000)) }
}
