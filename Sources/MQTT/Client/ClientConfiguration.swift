import CMosquitto

// From settings to the library's options. Files are read here, at each attempt.
extension Client {
    /// Gives the library everything that must be known before connecting.
    func configure() throws(Disconnection) {
        mosquitto_int_option(
            pointer, MOSQ_OPT_PROTOCOL_VERSION, version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311)
        mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1)
        mosquitto_int_option(pointer, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(max(settings.receiveMaximum, 1)))
        mosquitto_int_option(pointer, MOSQ_OPT_SEND_MAXIMUM, Int32(max(settings.sendMaximum, 1)))
        try setCredentials()
        if let tls = settings.tls { try setTLS(tls) }
        if let will { try setWill(will) }
    }

    private func setCredentials() throws(Disconnection) {
        let password = try settings.passwordFile.map { (path) throws(Disconnection) in try readPassword(from: path) }
        guard settings.username != nil || password != nil else { return }
        guard version == .v5 || settings.username != nil else {
            throw Disconnection(.configuration, .passwordWithoutUser)
        }
        guard mosquitto_username_pw_set(pointer, settings.username, password) == 0 else {
            throw Disconnection(.configuration, .badUser, ["peer": .text(peer)])
        }
    }

    private func setTLS(_ tls: TLS) throws(Disconnection) {
        guard OpenSSL.loaded != nil else {
            throw Disconnection(.tls, .noOpenSSL, ["peer": .text(peer)])
        }
        if let path = tls.caFile { try requireReadable(path, purpose: DisconnectionSentence.caFile.rawValue) }
        if let path = tls.certificateFile {
            try requireReadable(path, purpose: DisconnectionSentence.clientCertificate.rawValue)
        }
        if let path = tls.keyFile { try requireReadable(path, purpose: DisconnectionSentence.clientKey.rawValue) }
        guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
            throw Disconnection(.configuration, .halfAPair)
        }
        if tls.caFile == nil { mosquitto_int_option(pointer, MOSQ_OPT_TLS_USE_OS_CERTS, 1) }
        guard tls.caFile != nil || tls.certificateFile != nil else { return }
        // The library wants a CA file or directory beside a client certificate.
        let directory = tls.caFile == nil ? "/etc/ssl/certs" : nil
        let code = mosquitto_tls_set(
            pointer, tls.caFile, directory, tls.certificateFile, tls.keyFile, noKeyPassphrase)
        guard code == 0 else {
            throw Disconnection(
                .configuration, .badTLSFiles, ["peer": .text(peer), "error": .text(libraryText(code))])
        }
    }

    private func setWill(_ will: Publication) throws(Disconnection) {
        var properties: PropertyList
        do { properties = version == .v5 ? try PropertyList(will) : PropertyList() } catch {
            throw Disconnection(
                .configuration, .badWill, ["topic": .text(will.topic), "error": .text(error.message)])
        }
        let code = will.payload.withUnsafeBytes { payload in
            mosquitto_will_set_v5(
                pointer, will.topic, Int32(clamping: payload.count), payload.baseAddress, Int32(will.qos), will.retain,
                properties.head)
        }
        guard code == 0 else {
            throw Disconnection(
                .configuration, .badWill, ["topic": .text(will.topic), "error": .text(libraryText(code))])
        }
        _ = properties.release()
    }
}
