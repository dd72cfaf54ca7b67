import Machine

extension Store {
    // MARK: Room for a batch

    /// Makes sure that a batch fits: into the log, under `maxBytes`, and on the disk.
    func makeRoom(for estimate: Estimate, in session: Session) throws(JournalError) {
        let pages = Int64(estimate.pages)
        let frameBytes = Int64(session.pageSize + 24)
        guard pages * frameBytes <= Int64(layout.logBytes) else {
            throw JournalError(
                code: .tooLarge,
                message: "One batch of about \(pages * frameBytes >> 10) KiB does not fit into the "
                    + "journal's log of \(layout.logBytes >> 10) KiB. Append smaller batches, or raise max_size.")
        }
        try stayUnderLimit(pages, in: session)
        try backWithDisk(pages, in: session)
        // Last, since deleting has written to the log as well.
        if (Int64(session.connection.logFrames) + pages) * frameBytes > Int64(layout.logBytes) {
            _ = try session.connection.checkpoint()
        }
    }

    private func stayUnderLimit(_ pages: Int64, in session: Session) throws(JournalError) {
        let limit = layout.databaseBytes / Int64(session.pageSize)
        while session.freePages + limit - session.pages < pages {
            guard session.firstKept <= session.newest else {
                throw JournalError(
                    code: .tooLarge,
                    message: "A batch does not fit into an empty journal of \(settings.maxBytes >> 10) "
                        + "KiB. Append smaller batches, or raise max_size.")
            }
            if session.firstKept <= session.lowWatermark {
                try deleteBlock(through: session.lowWatermark, in: session)
            } else if settings.whenFull == .dropOldest {
                try deleteBlock(through: session.newest, in: session)
            } else {
                throw JournalError(
                    code: .limit,
                    message: "The journal has reached max_size (\(settings.maxBytes >> 20) MiB) with rows "
                        + "that nobody has confirmed. Restore the cloud link, or raise max_size.")
            }
        }
    }

    /// Allocates the blocks that the database will need before anything is committed, so that a full disk is noticed
    /// here and not in a checkpoint, which then could never finish and would let the log grow.
    private func backWithDisk(_ pages: Int64, in session: Session) throws(JournalError) {
        if hasBlocks(for: pages, in: session) { return }
        try releaseReserve(session)
        while !hasBlocks(for: pages, in: session) {
            guard session.firstKept <= session.lowWatermark else {
                throw JournalError(
                    code: .full,
                    message: "The disk of \(settings.path) is full and the reserve is used up. Free space "
                        + "there (df -h); recording resumes by itself.")
            }
            try deleteBlock(through: session.lowWatermark, in: session)
        }
    }

    private func hasBlocks(for pages: Int64, in session: Session) -> Bool {
        guard session.freePages < pages else { return true }
        return allocate((session.pages + pages - session.freePages) * Int64(session.pageSize), in: session)
    }

    private func allocate(_ bytes: Int64, in session: Session) -> Bool {
        if bytes <= session.allocatedBytes { return true }
        guard session.connection.preallocate(bytes) else { return false }
        session.allocatedBytes = layout.chunks(bytes)
        return true
    }

    // MARK: The reserve

    // A ballast of filler rows occupies `reserveBytes` of the database: written, checkpointed, and so really allocated.
    // When the disk is full it is deleted, and appends take its pages. Growing in normal operation does not touch it,
    // so that it is written once and not again for every row.

    private static let fillerBytes = 32 << 10

    /// Adds up to `step` bytes to the ballast. - Returns: whether more is to be done.
    func fillReserve(_ session: Session, step: Int) -> Bool {
        let missing = Int64(layout.reserveBytes) - session.ballastBytes
        guard missing > 0 else { return false }
        // Not while the disk is nearly full: the free pages of the file are of more use to rows then.
        guard FileSystem.freeBytes(at: settings.path) > 2 * Int64(layout.reserveBytes) else { return false }
        let rows = max(1, Int(min(missing, Int64(step))) / Self.fillerBytes)
        let bytes = Int64(rows * Self.fillerBytes)
        let pages = (bytes + bytes / 16) / Int64(session.pageSize) + 8
        let limit = layout.databaseBytes / Int64(session.pageSize)
        guard session.freePages + limit - session.pages >= pages, hasBlocks(for: pages, in: session) else {
            return false
        }
        do throws(JournalError) {
            try session.transaction(durable: false) { () throws(JournalError) in
                for _ in 0..<rows {
                    try session.connection.execute(
                        "INSERT INTO ballast (filler) VALUES (zeroblob(\(Self.fillerBytes)))", doing: "reserving in")
                }
                try session.state.set(StateName.ballast, session.ballastBytes + bytes)
            }
            session.ballastBytes += bytes
            try checkpoint(session)
        } catch {
            settle(error)
            return false
        }
        return session.ballastBytes < Int64(layout.reserveBytes)
    }

    private func releaseReserve(_ session: Session) throws(JournalError) {
        guard session.ballastBytes > 0 else { return }
        try session.transaction(durable: false) { () throws(JournalError) in
            try session.connection.execute("DELETE FROM ballast", doing: "releasing the reserve of")
            try session.state.set(StateName.ballast, 0)
        }
        session.ballastBytes = 0
    }

    func growLog(_ session: Session) {
        // Without it commits still work; each of them then grows the log.
        do throws(JournalError) {
            try FileSystem.growLog(settings.path + "-wal", to: layout.logBytes)
        } catch {
            notice("The journal's log could not be grown: \(error.message)")
        }
    }

    // MARK: After an operation

    /// Checkpoints when due and restores the reserve. What fails here does not undo the operation.
    func maintain(_ session: Session) {
        do throws(JournalError) {
            try checkpointWhenDue(session)
        } catch {
            settle(error)
            return
        }
        guard session.ballastBytes < Int64(layout.reserveBytes) else { return }
        let boot = Clock.bootNanoseconds
        guard boot - reserveCheckedAt >= 1_000_000_000 else { return }
        reserveCheckedAt = boot
        _ = fillReserve(session, step: layout.logBytes / 4)
    }

    func checkpointWhenDue(_ session: Session) throws(JournalError) {
        guard Int(session.connection.logFrames) * (session.pageSize + 24) >= layout.checkpointBytes else { return }
        try checkpoint(session)
    }

    private func checkpoint(_ session: Session) throws(JournalError) {
        guard try session.connection.checkpoint() else { return }
        // SQLite cuts the file to its size in pages, rounded up to a chunk.
        session.allocatedBytes = layout.chunks(session.pages * Int64(session.pageSize))
    }
}
