(* Maxima over windows, in any total order. *)
From Symconv Require Export Sums.

Section Maximum.
Variables (V : Type) (O : Order V).
Lemma max_none {A} (l : list A) (f : A -> V) : max_of O l f = None <-> l = [].
Proof. destruct l; cbn; [tauto|]. destruct (max_of O l f); split; discriminate. Qed.
Lemma max_some {A} (l : list A) (f : A -> V) m :
  max_of O l f = Some m <-> (exists x, In x l /\ f x = m) /\ (forall x, In x l -> le O (f x) m = true).
Proof.
  revert m. induction l as [|a l IH]; cbn; intros m.
  - split; [discriminate|]. intros [[x [[] _]] _].
  - destruct (max_of O l f) as [k|] eqn:E.
    + destruct (proj1 (IH k) eq_refl) as [[x [X EX]] U]. destruct (le O k (f a)) eqn:L.
      * split.
        { intros [= <-]. split; [exists a; auto|]. intros y [<-|Y]; [apply le_refl|]. eapply le_trans; eauto. }
        intros [[y [Y EY]] W]. f_equal. apply (le_antisym O); [apply W; auto|].
        destruct Y as [<-|Y]; [subst; apply le_refl|]. subst m. eapply le_trans; [apply U|]; auto.
      * apply le_total in L. split. { intros [= <-]. split; [exists x; auto|]. intros y [<-|Y]; auto. }
        intros [[y [Y EY]] W]. f_equal. subst. apply (le_antisym O); [apply W; auto|]. destruct Y as [<-|Y]; auto.
    + apply max_none in E. subst l. split.
      { intros [= <-]. split; [exists a; auto|]. intros y [<-|[]]. apply le_refl. }
      intros [[y [[->|[]] EY]] W]. congruence.
Qed.
(* Two maxima are equal where every tap of each reads what one of the other reads. *)
Theorem maximum_match {A B} none (phi : A -> B) (psi : B -> A) (p : A -> bool) (v : A -> V) (q : B -> bool) (w : B -> V)
    (l : list A) (l' : list B) :
  (forall x, In x l -> p x = true -> In (phi x) l' /\ q (phi x) = true /\ v x = w (phi x)) ->
  (forall y, In y l' -> q y = true -> In (psi y) l /\ p (psi y) = true /\ w y = v (psi y)) ->
  maximum O none (filter p l) v = maximum O none (filter q l') w.
Proof.
  intros F G. unfold maximum. enough (E : max_of O (filter p l) v = max_of O (filter q l') w) by (rewrite E; auto).
  destruct (max_of O (filter q l') w) as [m|] eqn:E.
  - apply max_some in E as [[y [Y EY]] U]. apply max_some. apply filter_In in Y as [Y QY].
    destruct (G y Y QY) as (I & P & E). split.
    + exists (psi y). rewrite filter_In. repeat split; auto. congruence.
    + intros x X. apply filter_In in X as [X PX]. destruct (F x X PX) as (I' & Q & E'). rewrite E'. apply U.
      apply filter_In; auto.
  - apply max_none in E. apply max_none. destruct (filter p l) as [|x k] eqn:L; auto. exfalso.
    assert (H : In x (filter p l)) by (rewrite L; cbn; auto). apply filter_In in H as [X PX].
    destruct (F x X PX) as (I & Q & _). assert (H : In (phi x) (filter q l')) by (apply filter_In; auto).
    rewrite E in H. destruct H.
Qed.
Lemma maximum_all {A} none (p : A -> bool) (l : list A) (f : A -> V) :
  (forall x, p x = true) -> maximum O none l f = maximum O none (filter p l) f.
Proof. intros H. f_equal. induction l as [|x l IH]; cbn; rewrite ?H; congruence. Qed.
End Maximum.
