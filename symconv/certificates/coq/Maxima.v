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
(* A maximum of maxima is one over the pairs of their taps, whatever is missing. *)
Lemma max_app {A} (l l' : list A) (f : A -> V) : max_of O (l ++ l') f =
  match max_of O l f, max_of O l' f with
  | found, None => found | None, found => found | Some v, Some m => Some (if le O m v then v else m) end.
Proof.
  induction l as [|x l IH]; cbn; [destruct (max_of O l' f); auto|]. rewrite IH.
  destruct (max_of O l f) as [v|], (max_of O l' f) as [m|]; auto. f_equal.
  destruct (le O m v) eqn:A1, (le O v (f x)) eqn:A2, (le O m (f x)) eqn:A3; rewrite ?A1; auto.
  - rewrite (le_trans O m v (f x)) in A3 by auto. discriminate.
  - apply (le_antisym O); auto. apply le_total in A2. eapply le_trans; [exact A2|]. apply le_total. auto.
Qed.
Lemma max_map {A B} (h : A -> B) l (f : B -> V) : max_of O (map h l) f = max_of O l (fun x => f (h x)).
Proof. induction l as [|x l IH]; cbn; auto. rewrite IH. reflexivity. Qed.
Lemma max_points {A B} (l : list A) (l' : A -> list B) (h : A -> option V) (f : A -> B -> V) :
  (forall x, h x = max_of O (l' x) (f x)) -> max_among O l h = max_of O (points l l') (fun z => f (fst z) (snd z)).
Proof.
  intros H. induction l as [|x l IH]; cbn [max_among points flat_map]; auto.
  fold (points l l'). rewrite max_app, <- IH, H, max_map. reflexivity.
Qed.
Theorem maximum_nested {A B} none (phi : A -> B) (psi : B -> A) (l : list A) (l' : list B) found (f : A -> V) (g : B -> V) :
  found = max_of O l f -> (forall x, In x l -> In (phi x) l' /\ f x = g (phi x)) ->
  (forall y, In y l' -> In (psi y) l /\ g y = f (psi y)) -> value_or none found = maximum O none l' g.
Proof.
  intros -> F G. unfold maximum. f_equal. destruct (max_of O l' g) as [m|] eqn:E.
  - apply max_some in E as [[y [Y <-]] U]. apply max_some. destruct (G y Y) as [I E]. split; [exists (psi y); auto|].
    intros x X. destruct (F x X) as [I' ->]. auto.
  - apply max_none in E. apply max_none. destruct l as [|x l]; auto. destruct (F x) as [I _]; cbn; auto. subst. destruct I.
Qed.
End Maximum.
